export { rateLimit } from './middleware/hono-rate-limit.ts'
