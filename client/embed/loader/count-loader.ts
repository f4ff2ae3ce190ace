// The script for pages that show how many comments there are, such as lists of articles.
import { defineCounts } from './counts.ts'

defineCounts(new URL((document.currentScript as HTMLScriptElement).src).origin)
