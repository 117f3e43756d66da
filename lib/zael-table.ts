import { RemovalPolicy } from 'aws-cdk-lib'
import {
  AttributeType,
  BillingMode,
  ProjectionType,
  StreamViewType,
  Table,
  TableEncryption,
} from 'aws-cdk-lib/aws-dynamodb'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'
import type { Flavour } from './construct-props.ts'

/** The index of what people list: entities, models, policies, audit records. Buckets have none of its keys. */
export const LISTING_INDEX = 'GSI1'

export interface ZaelTableProps {
  /** Default: a name that CloudFormation makes. */
  readonly tableName?: string
  /** Default `aws`: point-in-time recovery, and the table outlives the stack. */
  readonly flavour?: Flavour
  /** Your own key in place of the one that AWS manages for DynamoDB. */
  readonly encryptionKey?: IKey
}

const GUARDED = {
  deletionProtection: true,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
}

/** The one table: buckets, configuration, usage. Its stream feeds the aggregator. */
export class ZaelTable extends Construct {
  readonly table: Table
  /** The table's stream, new and old images. */
  readonly streamArn: string

  constructor(scope: Construct, id: string, props: ZaelTableProps = {}) {
    super(scope, id)
    const durable = props.flavour !== 'local'
    this.table = new Table(this, 'Table', {
      ...(props.tableName === undefined ? {} : { tableName: props.tableName }),
      partitionKey: { name: 'PK', type: AttributeType.STRING },
      sortKey: { name: 'SK', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
      removalPolicy: durable ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      ...(durable ? GUARDED : {}),
      ...encryption(props, durable),
    })
    this.table.addGlobalSecondaryIndex({
      indexName: LISTING_INDEX,
      partitionKey: { name: 'GSI1PK', type: AttributeType.STRING },
      sortKey: { name: 'GSI1SK', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    })
    this.streamArn = streamOf(this.table)
  }
}

const encryption = (props: ZaelTableProps, durable: boolean) => {
  if (props.encryptionKey !== undefined) {
    return { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: props.encryptionKey }
  }
  return durable ? { encryption: TableEncryption.AWS_MANAGED } : {}
}

const streamOf = (table: Table): string => {
  if (table.tableStreamArn === undefined) throw new Error('The table has no stream')
  return table.tableStreamArn
}
