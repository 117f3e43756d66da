/**
 * Where a stack goes. `aws`: guarded against loss, logged, streaming. `local`: an emulator; only what the free image of
 * LocalStack 4.14 can deploy, and everything goes away with the stack.
 */
export type Flavour = 'aws' | 'local'
