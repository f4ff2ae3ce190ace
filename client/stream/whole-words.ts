/** What has no space for longer than this, in UTF-16 units, is shown all the same. */
const longestWord = 40

/** Scripts that set no spaces between words: each character may stand at the end of a line. */
const unspaced =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}][^\p{L}\p{N}]*$/u

/**
 * A text without the word at its end, which may go on: as it grows, it could jump to the next line. It lags behind by no
 * more than what comes at once.
 */
export function wholeWords(text: string): string {
  const word = /\S*$/.exec(text.slice(-longestWord - 1))![0]
  return word.length > longestWord || unspaced.test(word) ? text : text.slice(0, text.length - word.length)
}
