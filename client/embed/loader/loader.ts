// The script that pages with comments load: nothing of it is global but the element.
import { defineThreads } from './threads.ts'

defineThreads(new URL((document.currentScript as HTMLScriptElement).src).origin)
