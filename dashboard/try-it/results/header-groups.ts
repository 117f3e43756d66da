type Header = readonly [name: string, value: string]

const OF_LIMITS = /^(x-ratelimit|ratelimit|retry-after|x-should-retry|x-zael-)/

/** What the headers say of limits, and the rest; each in the order of their names. */
export const headerGroups = (headers: readonly Header[]) => ({
  limits: headers.filter(([name]) => OF_LIMITS.test(name)).toSorted(byName),
  others: headers.filter(([name]) => !OF_LIMITS.test(name)).toSorted(byName),
})

const byName = ([first]: Header, [second]: Header): number => (first < second ? -1 : 1)
