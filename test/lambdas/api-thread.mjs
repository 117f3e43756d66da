// A worker thread of Lambda's Node runtime on managed instances: it loads the function once, and invokes it for several requests at a
// time. `workerData` is the URL of the function.
import { parentPort, workerData } from 'node:worker_threads'

const { handler } = await import(workerData)
const context = { getRemainingTimeInMillis: () => 30_000 }
parentPort.on('message', async ({ id, event }) => {
  const response = await handler(event, context).catch((error) => ({ statusCode: 0, body: String(error) }))
  parentPort.postMessage({ id, response })
})
parentPort.postMessage({ ready: true })
