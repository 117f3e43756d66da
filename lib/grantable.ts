import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'

/** What a construct needs to know of a table: the CDK's `Table`, `TableV2` and imported ones have it. */
export interface TableRef {
  readonly tableName: string
  readonly tableArn: string
  readonly encryptionKey?: IKey | undefined
}

/** What a construct needs to know of a secret. */
export interface SecretRef {
  readonly secretArn: string
  readonly encryptionKey?: IKey | undefined
}

/** Lets `grantee` read and write what a key of the user's own guards; AWS's own keys need no grant. */
export const grantKey = (key: IKey | undefined, grantee: IGrantable): void => {
  key?.grantEncryptDecrypt(grantee)
}
