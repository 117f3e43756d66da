import type { RunLog } from '../run-log.ts'
import { alwaysResponds } from './always-responds.ts'
import { asConfigured } from './as-configured.ts'
import { callersBounded } from './callers-bounded.ts'
import { chargedFirst, nothingLeftOver } from './charged-first.ts'
import { inOrder } from './in-order.ts'
import { neverOver } from './never-over.ts'
import { onTime } from './on-time.ts'
import { slotsFreed, slotsHeld } from './slots-held.ts'
import { usedUp } from './used-up.ts'

/** The invariants of every schedule. Each check returns a text per violation. */
export const INVARIANTS = {
  'never over': neverOver,
  'charged first': chargedFirst,
  'nothing left over': nothingLeftOver,
  'in order': inOrder,
  'on time': onTime,
  'used up': usedUp,
  'as configured': asConfigured,
  'callers bounded': callersBounded,
  'slots held': slotsHeld,
  'slots freed': slotsFreed,
  'always responds': alwaysResponds,
} as const satisfies Record<string, (log: RunLog) => readonly string[]>

export type InvariantName = keyof typeof INVARIANTS

export interface Violated {
  readonly invariant: string
  readonly text: string
}

export const violationsIn = (log: RunLog): readonly Violated[] =>
  Object.entries(INVARIANTS).flatMap(([invariant, check]) => check(log).map((text) => ({ invariant, text })))
