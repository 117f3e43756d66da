/** What one part of the benchmark found. */
export interface Finding {
  readonly rows: readonly object[]
  /** Tables, in Markdown. */
  readonly markdown: string
  readonly goals: readonly Goal[]
  readonly charts: readonly Chart[]
}

/** A figure that was to be reached. */
export interface Goal {
  readonly what: string
  readonly value: number
  readonly bound: 'at least' | 'at most'
  readonly goal: number
}

/** A picture for the documentation. */
export interface Chart {
  /** In docs/images. */
  readonly file: string
  readonly svg: string
}

/** How long and how wide to measure. */
export interface PartOptions {
  readonly isQuick: boolean
  /** Undefined: an engine in this process. */
  readonly engineUrl: string | undefined
  onProgress(text: string): void
}

/** One part of the benchmark. Each has a section in docs/benchmarks.md, between markers of its name. */
export interface Part {
  readonly name: string
  readonly title: string
  run(options: PartOptions): Promise<Finding>
}

export const isReached = ({ value, bound, goal }: Goal): boolean =>
  bound === 'at least' ? value >= goal : value <= goal
