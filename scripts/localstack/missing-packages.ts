import { missingPackages, thisMachine } from './requirements.ts'

// for .ci/run: one package per line
for (const name of missingPackages(thisMachine())) console.log(name)
