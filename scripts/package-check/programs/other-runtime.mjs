// As in browsers, jsdom, Deno and Workers: timers are numbers, and there is no `process` and no `Buffer`.
const { process, setInterval } = globalThis
const timers = []
globalThis.setInterval = (...args) => timers.push(setInterval(...args).unref())
globalThis.clearInterval = () => {}
globalThis.process = undefined
globalThis.Buffer = undefined
try {
  const { createRateLimiter } = await import('zael')
  const limiter = createRateLimiter({ limits: [{ name: 'rps', capacity: 2, refill_rate: 0.001 }] })
  const allowed = []
  for (let i = 0; i < 3; i++) allowed.push((await limiter.check('a key that is hashed')).allowed)
  await limiter.close()
  if (allowed.join() !== 'true,true,false') throw new Error(`two of three should pass: ${allowed}`)
  if (timers.length !== 1) throw new Error(`one timer should run: ${timers.length}`)
} finally {
  globalThis.process = process
}
