import { createTestConfig, entityOwner, limitsOf } from './test/core/test-config.ts'
import { createLimiter } from './src/core/deciding/create-limiter.ts'
import { createMemoryBucketStore } from './src/store/memory/memory-bucket-store.ts'
import { systemClock } from './src/platform/system-clock.ts'
import { lruCaches } from './src/platform/lru-caches.ts'
import { silentLogger } from './src/core/ports/logger.ts'
const config=createTestConfig(); config.putEntity('key'); config.putLimits(entityOwner('key'),'_default_',limitsOf({rpm:[1e9,1e6],tpm:[1e9,1e6]}))
config.putEntity('poor'); config.putLimits(entityOwner('poor'),'_default_',limitsOf({rpm:[1,1/3600]}))
const counts:Record<string,number>={}
const limiter=createLimiter({buckets:createMemoryBucketStore(),localBuckets:createMemoryBucketStore(),config,clock:systemClock,logger:{...silentLogger,isDebugOn:false},metrics:{count(n,by=1){counts[n]=(counts[n]??0)+by}},newCache:lruCaches,pause:async()=>{},settings:{leaseTtlMs:1000}})
const run=async(entityId:string,seconds:number)=>{ let n=0, allowed=0; const end=performance.now()+seconds*1000; const t0=performance.now(); const w0=counts.bucket_writes??0
 await Promise.all(Array.from({length:64},async()=>{ while(performance.now()<end){ for(let i=0;i<50;i++){ const d=await limiter.decide({entityId,cost:{requests:1,tokens:10},settles:false}); n++; if(d.allowed)allowed++ } await new Promise(r=>setImmediate(r)) } }))
 const s=(performance.now()-t0)/1000; console.log(entityId,Math.round(n/s),'/s', (1e6*s/n).toFixed(2),'us', 'allowed',(allowed/n).toFixed(3),'writes/decision',(((counts.bucket_writes??0)-w0)/n).toFixed(5)) }
setInterval(()=>limiter.flush(),1000).unref()
await run('key',1); await run('key',3); await run('poor',1); await run('poor',3)
