export {
  type LimitScope,
  REFUSAL_META,
  REFUSED_CODE,
  type RefusedLimit,
  type ToolRefusal,
  ToolRefused,
} from './mcp/refusal.ts'
export {
  byClientId,
  byTokenSubject,
  type ToolCall,
  type ToolCallAuth,
  type ToolCallExtra,
  type ToolServer,
} from './mcp/tool-call.ts'
export {
  type CallerLimits,
  createToolLimits,
  type ToolLimitOptions,
  type ToolLimits,
} from './mcp/tool-limits.ts'
