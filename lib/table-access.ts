import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'

/** The index of what people list: entities, models, policies, audit records. Buckets have none of its keys. */
export const LISTING_INDEX = 'GSI1'

/** A table: a `ZaelTable`, the CDK's `Table` and `TableV2`, or an imported one. */
export interface TableRef {
  readonly tableName: string
  readonly tableArn: string
  readonly encryptionKey?: IKey | undefined
}

/** Reads of decisions: of configuration, buckets and API keys, all by their keys. */
export const READ_ACTIONS = ['dynamodb:BatchGetItem', 'dynamodb:GetItem'] as const

/** The operations of decisions on the table: of the library's limiters, and of lookups of API keys (`byZaelKey`). */
export const DECIDE_ACTIONS = [...READ_ACTIONS, 'dynamodb:UpdateItem'] as const

/** The API's operations on the table: decisions, reservations that others settle, and administration. Scan is not among them. */
export const API_ACTIONS = [
  ...DECIDE_ACTIONS,
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  'dynamodb:PutItem',
  'dynamodb:Query',
] as const

/** Restricts a permission to partitions whose keys match these patterns: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html */
export const inPartitions = (...patterns: readonly string[]) => ({
  'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...patterns] },
})

/** The partitions of buckets: decisions write no other items. API keys, models, defaults and reservations are elsewhere. */
export const CHARGED = ['ENTITY#*', 'POLICY#*'] as const

/** Lets `grantee` encrypt and decrypt with a customer's key; AWS's own keys need no grant. */
export const grantKey = (key: IKey | undefined, grantee: IGrantable): void => {
  key?.grantEncryptDecrypt(grantee)
}

/** Lets `grantee` decide on `table`: the permissions of DECIDE_ACTIONS, writes of buckets only, and the use of its key. */
export const grantDecisions = (table: TableRef, grantee: IGrantable): Grant => {
  grantKey(table.encryptionKey, grantee)
  const resourceArns = [table.tableArn]
  const reads = Grant.addToPrincipal({ grantee, actions: [...READ_ACTIONS], resourceArns })
  const writes = {
    grantee,
    actions: ['dynamodb:UpdateItem'],
    resourceArns,
    conditions: inPartitions(...CHARGED),
  }
  return reads.combine(Grant.addToPrincipal(writes))
}
