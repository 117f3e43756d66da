import { App } from 'aws-cdk-lib'
import { AnswersStack } from './answers-stack.ts'

const app = new App()
const tableName: unknown = app.node.tryGetContext('table')

new AnswersStack(app, 'Answers', {
  tableName: typeof tableName === 'string' ? tableName : 'ZAEL-demo',
  flavour: app.node.tryGetContext('flavour') === 'local' ? 'local' : 'aws',
})
