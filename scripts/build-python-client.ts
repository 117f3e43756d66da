import { runCommandLine } from '../src/command-line/command-line.ts'
import { startEmbeddedServer } from './embedded-server.ts'
import { buildWheel, generate, installTools } from './python-client/build.ts'

const HELP = `npm run build:python

Builds clients/python/dist: the Python client as an sdist and a wheel. Its part zael.rest is generated from the OpenAPI document
of an embedded zael, which is started on free ports. The first run installs the generator into clients/python/.venv, which needs
Python 3.11 or newer; the client itself needs 3.10.`

await runCommandLine({ command: 'npm run build:python', help: HELP, options: {} }, async () => {
  const tools = await installTools()
  const server = await startEmbeddedServer()
  try {
    await generate(tools, server.url)
  } finally {
    await server.stop()
  }
  console.log(`Built ${await buildWheel(tools)}`)
})
