// Runs a Node function as Lambda's runtime does, for LocalStack: loads the handler, then receives one invocation per
// POST on RUN_FUNCTION_PORT, and reports each result to LocalStack. Part of the dev stack, not of the deployment.
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const { env } = process
const port = Number(env.RUN_FUNCTION_PORT)
// The handler's environment is the one that it would have on Lambda.
delete env.RUN_FUNCTION_PORT

const timeoutMs = Number(env.AWS_LAMBDA_FUNCTION_TIMEOUT) * 1000
const maxResponseBytes = Number(env.LOCALSTACK_MAX_PAYLOAD_SIZE || 6_291_556)

const post = async (path, body) => {
  const response = await fetch(`${env.LOCALSTACK_RUNTIME_ENDPOINT}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
  if (!response.ok) console.error(`LocalStack rejected ${path}: ${response.status}`)
}

const asError = (error, requestId = '') => ({
  errorMessage: error?.message ?? String(error),
  errorType: error?.name ?? 'Error',
  requestId,
  stackTrace: String(error?.stack ?? '').split('\n'),
})

const loadHandler = async () => {
  const [file, name] = env._HANDLER.split('.')
  const path = ['.mjs', '.js', '.cjs'].map((end) => join(env.LAMBDA_TASK_ROOT, file + end)).find(existsSync)
  if (path === undefined) throw new Error(`there is no ${file} in ${env.LAMBDA_TASK_ROOT}`)
  const handler = (await import(pathToFileURL(path).href))[name]
  if (typeof handler !== 'function') throw new Error(`${env._HANDLER} is not a function`)
  return handler
}

/** The function's output during an invocation becomes the log of that invocation. */
let log = ''
for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream)
  stream.write = (chunk, ...rest) => {
    log += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    return write(chunk, ...rest)
  }
}

const contextOf = (invocation, startedMs) => ({
  callbackWaitsForEmptyEventLoop: true,
  functionName: env.AWS_LAMBDA_FUNCTION_NAME,
  functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
  memoryLimitInMB: String(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
  logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
  invokedFunctionArn: invocation['invoked-function-arn'],
  awsRequestId: invocation['invoke-id'],
  getRemainingTimeInMillis: () => timeoutMs - (Date.now() - startedMs),
})

const withinTimeout = async (result, requestId) => {
  let timer
  const timedOut = new Promise((_, reject) => {
    const error = new Error(`${requestId} Task timed out after ${timeoutMs / 1000} seconds`)
    error.name = 'Sandbox.Timedout'
    timer = setTimeout(reject, timeoutMs, error)
  })
  return Promise.race([result, timedOut]).finally(() => clearTimeout(timer))
}

const TOO_LARGE = {
  errorMessage: `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`,
  errorType: 'Function.ResponseSizeTooLarge',
}

const invoke = async (handler, invocation, startedMs) => {
  const requestId = invocation['invoke-id']
  try {
    const result = handler(JSON.parse(invocation.payload), contextOf(invocation, startedMs))
    const response = (await withinTimeout(result, requestId)) ?? null
    const isTooLarge = Buffer.byteLength(JSON.stringify(response)) > maxResponseBytes
    return isTooLarge ? ['error', TOO_LARGE] : ['response', response]
  } catch (error) {
    console.error('Invoke Error', error)
    return ['error', asError(error, requestId)]
  }
}

const report = async (handler, invocation) => {
  const requestId = invocation['invoke-id']
  const startedMs = Date.now()
  log = ''
  env._X_AMZN_TRACE_ID = invocation['trace-id']
  console.log(`START RequestId: ${requestId} Version: ${env.AWS_LAMBDA_FUNCTION_VERSION}`)
  const [kind, body] = await invoke(handler, invocation, startedMs)
  const ms = Date.now() - startedMs
  const memory = `${env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE} MB`
  console.log(`END RequestId: ${requestId}`)
  // LocalStack reads this line.
  console.log(
    `REPORT RequestId: ${requestId}\tDuration: ${ms}.00 ms\tBilled Duration: ${ms} ms\tMemory Size: ${memory}\tMax Memory Used: ${memory}`,
  )
  await post(`invocations/${requestId}/logs`, { logs: log })
  await post(`invocations/${requestId}/${kind}`, body)
}

const textOf = async (request) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const serve = (handler) =>
  createServer(async (request, response) => {
    try {
      const invocation = JSON.parse(await textOf(request))
      response.end()
      await report(handler, invocation)
    } catch (error) {
      console.error('the invocation failed outside its handler', error)
    }
  }).listen(port, '127.0.0.1', () => post(`status/${env.LOCALSTACK_RUNTIME_ID}/ready`, {}))

try {
  serve(await loadHandler())
} catch (error) {
  console.error('the function could not be loaded', error)
  await post(`status/${env.LOCALSTACK_RUNTIME_ID}/error`, asError(error))
  process.exitCode = 1
}
