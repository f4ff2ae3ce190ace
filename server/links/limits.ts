/** Every size, time and count of outgoing look-ups. Bytes are counted after decompression, times are in milliseconds. */
export const linkLimits = {
  /** One fetch from the first DNS question to the last byte, redirects included. */
  fetchMs: 8_000,
  redirects: 5,
  urlMax: 2_000,
  /** Bytes of a response's header lines. */
  headerBytes: 16 * 1024,
  /** 1xx answers before the real one. */
  interimAnswers: 10,
  pageBytes: 1024 * 1024,
  imageBytes: 2 * 1024 * 1024,
  /** How many bytes one compressed byte may become, asked once `ratioFromBytes` have come out. */
  ratio: 200,
  ratioFromBytes: 64 * 1024,

  /** Of a preview, in UTF-16 units. */
  titleMax: 300,
  siteMax: 100,
  descriptionMax: 500,
  /** Bytes that are searched for a charset before any text is read. */
  charsetBytes: 1024,

  /** Look-ups at a time, over all hosts and to one host. */
  lookups: 4,
  lookupsPerHost: 2,
  /** Look-ups that wait in memory; further ones wait in the database. */
  queue: 1_000,
  /** When a look-up that failed for a passing reason gets its second and last try. */
  retryMs: 30_000,

  /** Preview images: fetches at a time, and readers that may wait for a turn. */
  imageFetches: 4,
  imageWaiting: 32,
  imageCacheBytes: 32 * 1024 * 1024,
  imageCacheMs: 6 * 60 * 60 * 1000,
  /** How long an image that could not be had is not asked for again. */
  imageMissingMs: 60_000,
} as const

/** Every size, time and count of reading linked pages as text. Lengths are in UTF-16 units, times in milliseconds. */
export const articleLimits = {
  /** How long a stored text serves before the page is asked again. */
  freshMs: 3 * 24 * 60 * 60 * 1000,
  /** How long a page that could not be read is left alone, and how many such pages a node remembers. */
  retryMs: 60_000,
  failures: 1_000,

  /** One fetch from the first DNS question to the last byte. */
  fetchMs: 15_000,
  /** Bytes after decompression: of HTML and plain text, and of a PDF. */
  pageBytes: 5 * 1024 * 1024,
  pdfBytes: 20 * 1024 * 1024,
  /** Pages that are fetched and read at a time, and that may wait for their turn. */
  reads: 6,
  waiting: 32,

  /** Worker processes, and what each may take: time for one page, its start included; megabytes of heap. */
  workers: 2,
  extractMs: 15_000,
  workerHeapMb: 256,
  /** Bytes of a worker in all, buffers and programs included, asked every `watchMs`. */
  workerBytes: 640 * 1024 * 1024,
  watchMs: 50,
  /** How long a worker without work is kept. */
  workerIdleMs: 30_000,

  /** Open elements; with more of them the parser takes them for closed. */
  depth: 256,
  /** Elements that are read of a page. */
  elements: 100_000,
  /** Elements, and pieces of text between them (each entity is one), up to which the article is looked for. */
  articleElements: 20_000,
  articlePieces: 100_000,
  /** Pieces of text that are joined before they go into the document. */
  joinedPieces: 1_000,
  /** Of style sheets in the page, which are searched for what they hide. */
  styleMax: 200_000,
  /** The least that is taken for a page's article, where it is not this share of the page's whole text. */
  articleLeast: 500,
  articleShare: 0.25,
  /** Lists and quotations in each other that are still marked as such. */
  nesting: 8,
  /** A table with a longer cell is taken for a means of layout. */
  cellMax: 400,

  /** Pages of a PDF. */
  pages: 1_000,
  /** Points: smaller letters in a PDF are not there to be read. */
  leastLetter: 2,

  /** Of an article in all, and of its parts. */
  textMax: 400_000,
  sections: 200,
  sectionMax: 6_000,
  headingMax: 200,
} as const
