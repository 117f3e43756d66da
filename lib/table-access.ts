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

/** The operations of decisions on the table: of the library's limiters, and of lookups of API keys (`byZaelKey`). */
export const DECIDE_ACTIONS = [
  'dynamodb:BatchGetItem',
  'dynamodb:GetItem',
  'dynamodb:Query',
  'dynamodb:UpdateItem',
] as const

/** The API's operations on the table: decisions, reservations that others settle, and administration. Scan is not among them. */
export const API_ACTIONS = [
  ...DECIDE_ACTIONS,
  'dynamodb:ConditionCheckItem',
  'dynamodb:DeleteItem',
  'dynamodb:PutItem',
] as const

/** Lets `grantee` encrypt and decrypt with a customer's key; AWS's own keys need no grant. */
export const grantKey = (key: IKey | undefined, grantee: IGrantable): void => {
  key?.grantEncryptDecrypt(grantee)
}

/** Lets `grantee` decide on `table`: the permissions of DECIDE_ACTIONS, and the use of its key. */
export const grantDecisions = (table: TableRef, grantee: IGrantable): Grant => {
  grantKey(table.encryptionKey, grantee)
  return Grant.addToPrincipal({ grantee, actions: [...DECIDE_ACTIONS], resourceArns: [table.tableArn] })
}
