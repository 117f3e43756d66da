import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { scanJson } from '../../src/web/json-scan.ts'

/** The parts of a parsed value; its levels are those of lists and objects. */
const partsOf = (value: unknown): { values: number; fields: number; levels: number } => {
  if (typeof value !== 'object' || value === null) return { values: 1, fields: 0, levels: 0 }
  const parts = Object.values(value).map(partsOf)
  const sum = (of: 'values' | 'fields') => parts.reduce((total, part) => total + part[of], 0)
  return {
    values: 1 + sum('values'),
    fields: sum('fields') + (Array.isArray(value) ? 0 : parts.length),
    levels: 1 + Math.max(0, ...parts.map(({ levels }) => levels)),
  }
}

const json = fc.jsonValue({ depthSize: 'medium', maxDepth: 6 })

const isScanned = (text: string, bounds: Parameters<typeof scanJson>[1], charsPerRun: number): boolean => {
  const scan = scanJson(text, bounds)
  for (let runs = 0; !scan.run(charsPerRun); runs++) expect(runs).toBeLessThan(text.length)
  return scan.exceeded() === undefined
}

test.prop([json, fc.integer({ min: 1, max: 40 }), fc.constantFrom(undefined, 1, '\t')])(
  'counts what the parser finds, however the text is spaced and cut into runs',
  (value, charsPerRun, space) => {
    const text = JSON.stringify(value, null, space)
    const exact = partsOf(JSON.parse(text))
    expect(isScanned(text, exact, charsPerRun)).toBe(true)
    expect(isScanned(text, { ...exact, values: exact.values - 1 }, charsPerRun)).toBe(false)
    if (exact.fields > 0)
      expect(isScanned(text, { ...exact, fields: exact.fields - 1 }, charsPerRun)).toBe(false)
    if (exact.levels > 0)
      expect(isScanned(text, { ...exact, levels: exact.levels - 1 }, charsPerRun)).toBe(false)
  },
)
