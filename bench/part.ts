/** The result of one part of the benchmark. */
export interface Finding {
  readonly rows: readonly object[]
  /** Tables, in Markdown. */
  readonly markdown: string
  readonly goals: readonly Goal[]
  readonly charts: readonly Chart[]
  /** A shorter table for another document. */
  readonly excerpt?: Excerpt
}

/** A table in a document between markers with the name of the part. */
export interface Excerpt {
  readonly document: string
  readonly markdown: string
}

/** A measured value and its target. */
export interface Goal {
  readonly what: string
  readonly value: number
  readonly bound: 'at least' | 'at most'
  readonly goal: number
}

/** An image for the documentation. */
export interface Chart {
  /** File name in docs/images. */
  readonly file: string
  readonly svg: string
}

/** The duration and scope of a measurement. */
export interface PartOptions {
  readonly isQuick: boolean
  /** Undefined: an engine in this process. */
  readonly engineUrl: string | undefined
  onProgress(text: string): void
}

/** One part of the benchmark. docs/benchmarks.md has a section for each, between markers with its name. */
export interface Part {
  readonly name: string
  readonly title: string
  run(options: PartOptions): Promise<Finding>
}

export const isReached = ({ value, bound, goal }: Goal): boolean =>
  bound === 'at least' ? value >= goal : value <= goal
