import type { AlertAccess } from './alert-access.ts'
import { alertEnvironment } from './alert-access.ts'
import type { AccessHolder, SecretRef } from './construct-props.ts'
import { API_ACTIONS, grantKey, LISTING_INDEX, type TableRef } from './table-access.ts'
import { allowedSecretArns, grantUpstreams, type UpstreamAccess } from './upstream-access.ts'

/** What the API works on, wherever it runs. */
export interface ApiAccess extends UpstreamAccess, AlertAccess {
  readonly table: TableRef
  /** Grants access to all routes. */
  readonly adminToken: SecretRef
  /** Grants access to routes that only read. */
  readonly viewerToken: SecretRef
}

/** The settings that name the table, the secrets and the receivers. Throws for secrets that hold zael's own tokens. */
export const apiEnvironment = (access: ApiAccess): Readonly<Record<string, string>> => {
  const { table, adminToken, viewerToken } = access
  const secretArns = allowedSecretArns(access, [adminToken, viewerToken])
  return {
    TABLE_NAME: table.tableName,
    ADMIN_TOKEN_SECRET_ARN: adminToken.secretArn,
    VIEWER_TOKEN_SECRET_ARN: viewerToken.secretArn,
    ...(secretArns !== '' && { UPSTREAM_ALLOWED_SECRET_ARNS: secretArns }),
    ...alertEnvironment(access, [adminToken, viewerToken]),
  }
}

/** Allows what the API does: its operations on the table, reading the tokens, and its upstreams. */
export const grantApi = (holder: AccessHolder, access: ApiAccess): void => {
  const { table, adminToken, viewerToken } = access
  holder.allow(API_ACTIONS, [table.tableArn])
  holder.allow(['dynamodb:Query'], [`${table.tableArn}/index/${LISTING_INDEX}`])
  holder.allow(['secretsmanager:GetSecretValue'], [adminToken.secretArn, viewerToken.secretArn])
  for (const guarded of [table, adminToken, viewerToken]) grantKey(guarded.encryptionKey, holder)
  grantUpstreams(holder, access)
}
