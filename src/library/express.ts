export { rateLimit } from './middleware/express-rate-limit.ts'
