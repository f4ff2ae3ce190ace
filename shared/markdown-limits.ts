/** Bounds on what one post's Markdown may cost. Lengths are in UTF-16 units. */
export const markdownLimits = {
  /** Quotes and lists (a list counts twice) within one another; what lies deeper is shown as plain lines. */
  blockNesting: 40,
  /** Emphasis within emphasis; deeper markers have no effect. */
  inlineNesting: 12,
  /** Lines of a `$$` block. */
  mathLines: 200,
  /** One formula; a longer one is not taken for a formula. */
  formula: 4_000,
  /** One formula between single dollars. */
  inlineFormula: 500,
  /** All formulas of a post; further ones are shown as their source. */
  formulas: 200,
  formulasTotal: 12_000,
  /** All highlighted code of a post; a block that goes beyond is shown without colours. */
  highlighted: 8_000,
  /** AI participants that one post can name; further names are only text. */
  mentions: 5,
  /** Characters from which on a quotation in an AI's text is looked for in what it read, and how many of a text are. */
  quotation: 25,
  quotations: 100,
  /** The HTML of a post. Few characters can ask for much markup (tables, formulas); beyond this the text is shown as it was typed. */
  html: 400_000,
} as const
