import * as v from 'valibot'
import { ISSUER_NAME_PATTERN, ISSUER_NAME_RULE } from '../core/model/token-entity.ts'
import type { TokenIssuer } from '../core/model/token-issuer.ts'
import { boundedList, checkedBy, closedObject } from './containers.ts'
import { faultsOf, type LocatedFault } from './parse.ts'

const MOST_ISSUERS = 20

const LONGEST = 1024

const NO_AUDIENCE = 'be the audience of the tokens, a text or a list of 1 to 20 texts'

const text = v.pipe(
  v.string('be a text'),
  v.nonEmpty('not be empty'),
  v.maxLength(LONGEST, `be at most ${LONGEST} characters long`),
)

const CLAIM_RULE = 'be the name of a claim, 1 to 256 characters long'

const claim = v.pipe(v.string(CLAIM_RULE), v.minLength(1, CLAIM_RULE), v.maxLength(256, CLAIM_RULE))

/** What is wrong with the address of an issuer or its keys, completing "<field> must …"; undefined: nothing. */
type AddressFault = (text: string) => string | undefined

const address = (faultOf: AddressFault) =>
  v.pipe(
    v.string('be a URL'),
    v.maxLength(LONGEST, `be at most ${LONGEST} characters long`),
    checkedBy<string>((text) => {
      const must = faultOf(text)
      return must === undefined ? undefined : { must }
    }),
  )

const issuerEntry = (faultOf: AddressFault) =>
  closedObject(
    {
      name: v.pipe(v.string(ISSUER_NAME_RULE), v.regex(ISSUER_NAME_PATTERN, ISSUER_NAME_RULE)),
      issuer: text,
      audience: v.union([text, boundedList(text, { least: 1, most: 20, must: NO_AUDIENCE })], NO_AUDIENCE),
      audience_claim: v.exactOptional(claim),
      jwks_uri: v.exactOptional(address(faultOf)),
      entity_claim: v.exactOptional(claim),
      tenant_claim: v.exactOptional(claim),
      role_claim: v.exactOptional(claim),
      user_claim: v.exactOptional(claim),
    },
    { object: 'be {"name": …, "issuer": …, "audience": …}' },
  )

type IssuerEntry = v.InferOutput<ReturnType<typeof issuerEntry>>

const documentOf = (faultOf: AddressFault) =>
  boundedList(issuerEntry(faultOf), {
    most: MOST_ISSUERS,
    must: `contain at most ${MOST_ISSUERS} issuers`,
    list: 'be a list of issuers: [{"name": …, "issuer": …, "audience": …}]',
  })

/** The issuers in a parsed document, or every fault of it. */
export const parseTokenIssuers = (
  document: unknown,
  faultOf: AddressFault,
): { readonly issuers: readonly TokenIssuer[] } | { readonly faults: readonly LocatedFault[] } => {
  const schema = documentOf(faultOf)
  const faults = [...faultsOf(schema, document), ...issuerFaults(document, faultOf)]
  if (faults.length > 0) return { faults }
  const issuers = v.parse(schema, document).map(issuerOf)
  const repeated = issuers.flatMap((each, index) =>
    repetitionsIn(each, issuers.slice(0, index)).map(([field, must]) => ({
      path: [String(index), field],
      must,
    })),
  )
  return repeated.length > 0 ? { faults: repeated } : { issuers }
}

type FieldFault = readonly [field: string, must: string]

/** The address of the keys is found by that of the issuer, which may be any text if its keys have an address of their own. */
const issuerFaults = (document: unknown, faultOf: AddressFault): readonly LocatedFault[] => {
  const entries: readonly unknown[] = Array.isArray(document) ? document : []
  return entries.slice(0, MOST_ISSUERS).flatMap((entry, index) => {
    if (typeof entry !== 'object' || entry === null || 'jwks_uri' in entry || !('issuer' in entry)) return []
    const must = typeof entry.issuer === 'string' && entry.issuer !== '' ? faultOf(entry.issuer) : undefined
    return must === undefined
      ? []
      : [{ path: [String(index), 'issuer'], must: `${must}, if jwks_uri is not given` }]
  })
}

const issuerOf = (entry: IssuerEntry): TokenIssuer => ({
  name: entry.name,
  issuer: entry.issuer,
  audiences: typeof entry.audience === 'string' ? [entry.audience] : entry.audience,
  audienceClaim: entry.audience_claim ?? 'aud',
  jwksUri: entry.jwks_uri ?? null,
  entityClaim: entry.entity_claim ?? 'sub',
  tenantClaim: entry.tenant_claim ?? null,
  roleClaim: entry.role_claim ?? null,
  userClaim: entry.user_claim ?? null,
})

/** A token must select one issuer, and an id must belong to one. */
const repetitionsIn = (
  { name, issuer, audiences, audienceClaim }: TokenIssuer,
  before: readonly TokenIssuer[],
): readonly FieldFault[] => {
  const isSame = (other: TokenIssuer): boolean =>
    other.issuer === issuer &&
    other.audienceClaim === audienceClaim &&
    other.audiences.some((each) => audiences.includes(each))
  return [
    ...(before.some((other) => other.name === name)
      ? [['name', 'differ from the names of other issuers'] as const]
      : []),
    ...(before.some(isSame)
      ? [['audience', 'differ from those of other entries of the same issuer'] as const]
      : []),
  ]
}
