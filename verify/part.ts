/** The result of one part of the verification. */
export interface Finding {
  readonly rows: readonly object[]
  /** The same rows as a Markdown table. */
  readonly markdown: string
  /** Descriptions of what failed; empty if everything holds. */
  readonly failures: readonly string[]
  /** The number of checks that passed and that failed. */
  readonly passed: number
  readonly failed: number
}

/** One part of the verification. docs/accuracy.md has a section for each, between markers with its name. */
export interface Part {
  readonly name: string
  readonly title: string
  run(): Promise<Finding>
}
