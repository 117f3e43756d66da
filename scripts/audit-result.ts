/** An own field of JSON that another program printed; undefined where there is none. */
export const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined

/** What `npm audit --json` printed. */
export interface AuditResult {
  /** Why the registry gave no advisories. Undefined: it did. */
  readonly unavailable: string | undefined
  /** `package: title (URL)` of each advisory that is not explained. */
  readonly unexplained: readonly string[]
}

const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
  value !== null && typeof value === 'object' ? Object.entries(value) : []

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `via` also holds names of packages that are affected through others; those have an entry of their own. */
const advisoriesOf = (name: string, vulnerability: unknown) =>
  entriesOf(fieldOf(vulnerability, 'via')).flatMap(([, via]) => {
    const url = fieldOf(via, 'url')
    return typeof url === 'string' ? [{ url, text: `${name}: ${fieldOf(via, 'title')} (${url})` }] : []
  })

/** Reads what `npm audit --json` printed; `explained` holds reasons by the URL of an advisory. */
export const auditResult = (stdout: string, explained: Readonly<Record<string, string>>): AuditResult => {
  const report = parsed(stdout)
  const vulnerabilities = fieldOf(report, 'vulnerabilities')
  if (vulnerabilities === undefined) {
    const status = fieldOf(report, 'statusCode')
    const reason =
      status === undefined ? 'npm audit printed no report' : `the registry's response is ${status}`
    return { unavailable: reason, unexplained: [] }
  }
  const advisories = entriesOf(vulnerabilities).flatMap(([name, value]) => advisoriesOf(name, value))
  const unexplained = advisories.filter(({ url }) => explained[url] === undefined).map(({ text }) => text)
  return { unavailable: undefined, unexplained: [...new Set(unexplained)] }
}
