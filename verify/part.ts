/** What one part of the verification found. */
export interface Finding {
  readonly rows: readonly object[]
  /** The same as a table in Markdown. */
  readonly markdown: string
  /** What is not as promised; none where all is well. */
  readonly failures: readonly string[]
  /** How many of the things that were checked are as promised, and how many are not. */
  readonly passed: number
  readonly failed: number
}

/** One part of the verification. Each has a section in docs/accuracy.md, between markers of its name. */
export interface Part {
  readonly name: string
  readonly title: string
  run(): Promise<Finding>
}
