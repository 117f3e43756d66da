import { describe, expect, it } from 'vitest'
import { goDuration } from '../../../src/http/headers/go-duration.ts'

const MS = 1_000_000n

describe('a Go duration', () => {
  it.each([
    [0n, '0s'],
    [-5n, '0s'],
    [1n, '1ms'],
    [120n * MS, '120ms'],
    [999n * MS, '999ms'],
    [999n * MS + 1n, '1s'],
    [8640n * MS, '8.64s'],
    [18_642n * MS, '18.642s'],
    [6000n * MS, '6s'],
    [60_000n * MS, '1m0s'],
    [360_000n * MS, '6m0s'],
    [432_000n * MS, '7m12s'],
    [3_600_000n * MS, '1h0m0s'],
    [3_600_500n * MS, '1h0m0.5s'],
    [100_000n * 3_600_000n * MS, '100000h0m0s'],
  ])('of %d ns reads %s', (ns, text) => {
    expect(goDuration(ns)).toBe(text)
  })
})
