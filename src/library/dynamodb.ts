export {
  type DynamoDbStore,
  type DynamoDbStoreOptions,
  dynamoDbStore,
} from './limiter/dynamo-db-store.ts'
