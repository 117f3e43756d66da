import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib'
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct, type IConstruct } from 'constructs'
import type { Flavour } from './construct-props.ts'
import { grantDecisions, LISTING_INDEX, type TableRef } from './table-access.ts'

/** The table of a zael: of this app, or an imported one. */
export interface IZaelTable extends TableRef, IConstruct {
  /**
   * Lets a function, task or role decide with the library on this table, and look up API keys: no other permissions.
   *
   * @example
   * limits.grantDecide(ordersFunction)
   */
  grantDecide(grantee: IGrantable): Grant
}

export interface ZaelTableProps {
  /** Default: a name that CloudFormation makes. */
  readonly tableName?: string
  /** Default `aws`: point-in-time recovery, and the table outlives the stack. */
  readonly flavour?: Flavour
  /**
   * What happens to the table when the stack is deleted. DESTROY, for tests: it is deleted with its data, and not protected from
   * deletion. Default: RETAIN with the flavour `aws`, else DESTROY.
   */
  readonly removalPolicy?: RemovalPolicy
  /** Your own key in place of the one that AWS manages for DynamoDB. */
  readonly encryptionKey?: IKey
}

/** What else is known of an imported table. */
export interface ZaelTableAttributes {
  /** The customer's key of the table, which `grantDecide` allows to use. */
  readonly encryptionKey?: IKey
}

/** The one table: buckets, configuration, usage. Its stream feeds the aggregator. */
export class ZaelTable extends Construct implements IZaelTable {
  /**
   * The table of a deployed zael in this account and region.
   *
   * @example
   * ZaelTable.fromTableName(this, 'Limits', 'ZAEL-prod').grantDecide(ordersFunction)
   */
  static fromTableName(
    scope: Construct,
    id: string,
    tableName: string,
    attributes: ZaelTableAttributes = {},
  ): IZaelTable {
    checkTableName(tableName)
    return new ImportedTable(scope, id, tableName, attributes)
  }

  readonly table: Table
  readonly tableName: string
  readonly tableArn: string
  readonly encryptionKey: IKey | undefined
  /** The table's stream, new and old images. */
  readonly streamArn: string

  constructor(scope: Construct, id: string, props: ZaelTableProps = {}) {
    super(scope, id)
    if (props.tableName !== undefined) checkTableName(props.tableName)
    this.table = new Table(this, 'Table', {
      ...(props.tableName === undefined ? {} : { tableName: props.tableName }),
      partitionKey: { name: 'PK', type: AttributeType.STRING },
      sortKey: { name: 'SK', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
      ...retention(props),
      ...encryption(props),
    })
    this.table.addGlobalSecondaryIndex({
      indexName: LISTING_INDEX,
      partitionKey: { name: 'GSI1PK', type: AttributeType.STRING },
      sortKey: { name: 'GSI1SK', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    })
    this.tableName = this.table.tableName
    this.tableArn = this.table.tableArn
    this.encryptionKey = this.table.encryptionKey
    this.streamArn = streamOf(this.table)
  }

  grantDecide(grantee: IGrantable): Grant {
    return grantDecisions(this, grantee)
  }
}

const checkTableName = (name: string): void => {
  if (Token.isUnresolved(name) || /^[\w.-]{3,255}$/.test(name)) return
  throw new Error(`tableName must be 3 to 255 letters, digits, "_", "." and "-": ${name}`)
}

class ImportedTable extends Construct implements IZaelTable {
  readonly tableName: string
  readonly tableArn: string
  readonly encryptionKey: IKey | undefined

  constructor(scope: Construct, id: string, tableName: string, attributes: ZaelTableAttributes) {
    super(scope, id)
    this.tableName = tableName
    this.tableArn = Stack.of(this).formatArn({
      service: 'dynamodb',
      resource: 'table',
      resourceName: tableName,
    })
    this.encryptionKey = attributes.encryptionKey
  }

  grantDecide(grantee: IGrantable): Grant {
    return grantDecisions(this, grantee)
  }
}

const isDurable = ({ flavour }: ZaelTableProps): boolean => flavour !== 'local'

const retention = (props: ZaelTableProps) => {
  const removalPolicy =
    props.removalPolicy ?? (isDurable(props) ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY)
  if (removalPolicy === RemovalPolicy.SNAPSHOT) {
    throw new Error('removalPolicy must be DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE, not SNAPSHOT')
  }
  return {
    removalPolicy,
    ...(isDurable(props) && {
      deletionProtection: removalPolicy !== RemovalPolicy.DESTROY,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    }),
  }
}

const encryption = (props: ZaelTableProps) => {
  if (props.encryptionKey !== undefined) {
    return { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: props.encryptionKey }
  }
  return isDurable(props) ? { encryption: TableEncryption.AWS_MANAGED } : {}
}

const streamOf = (table: Table): string => {
  if (table.tableStreamArn === undefined) throw new Error('The table has no stream')
  return table.tableStreamArn
}
