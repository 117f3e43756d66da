import type { Context } from 'hono'
import type { Precondition, VersionCondition } from '../core/admin/precondition.ts'
import type { AppEnv } from './app-dependencies.ts'

/*
 * Conditional requests of administrators (RFC 9110, sections 8.8.3 and 13.1). The entity tag is the version of the stored item.
 * So an administrator whose edit is based on another version gets 412 instead of overwriting it.
 */

/** The strong entity tag of an item of this version. */
export const etagOf = (version: bigint): string => `"${version}"`

/** Sets the ETag header of the response. */
export const setEtag = (c: Context<AppEnv>, version: bigint): void => c.header('etag', etagOf(version))

/** The condition that the headers of a request state. */
export const preconditionOf = (c: Context<AppEnv>): Precondition => ({
  match: conditionOf(c.req.header('if-match'), isStrong),
  noneMatch: conditionOf(c.req.header('if-none-match'), () => true),
})

/** An entity tag and the comma before the next one. Opaque tags may contain commas. */
const TAG = /[ \t]*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)|[ \t]*,/y

/** `If-Match` compares strongly: a weak tag never matches. `If-None-Match` compares weakly. */
const isStrong = (isWeak: boolean): boolean => !isWeak

/** Undefined without the header. A malformed one lists no versions, so `If-Match` fails and `If-None-Match` does not. */
const conditionOf = (
  header: string | undefined,
  counts: (isWeak: boolean) => boolean,
): VersionCondition | undefined => {
  if (header === undefined) return undefined
  const list = header.trim()
  if (list === '*') return 'any'
  const versions: bigint[] = []
  TAG.lastIndex = 0
  while (TAG.lastIndex < list.length) {
    const tag = TAG.exec(list)
    if (tag === null) return []
    const [, weak, opaque] = tag
    if (opaque !== undefined && counts(weak !== undefined)) versions.push(...versionIn(opaque))
  }
  return versions
}

/** Tags of other servers match no version. */
const versionIn = (opaque: string): readonly bigint[] =>
  /^(0|[1-9]\d{0,37})$/.test(opaque) ? [BigInt(opaque)] : []
