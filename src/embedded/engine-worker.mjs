// Node 20 reads no TypeScript in a thread: tsx is registered here, whatever started the process.
import { register } from 'tsx/esm/api'

register()
await import('./engine-worker.ts')
