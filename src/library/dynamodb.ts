export {
  type DynamoDbStore,
  type DynamoDbStoreOptions,
  dynamoDbStore,
} from './stores/dynamo-db-store.ts'
