import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import type { Host } from '../cli/host.ts'
import { run } from '../cli/program.ts'
import packageJson from '../package.json' with { type: 'json' }

const stopping = new AbortController()

const ask = async (question: string): Promise<string> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

const host: Host = {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  fetch,
  readFile: (path) => readFile(path, 'utf8'),
  ask,
  nowMs: Date.now,
  stopped: stopping.signal,
}

process.exitCode = await run(process.argv.slice(2), host, { version: packageJson.version })
