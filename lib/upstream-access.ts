import { Stack, Validations } from 'aws-cdk-lib'
import { type AccessHolder, grantSecrets, type SecretRef, secretArnsOf } from './construct-props.ts'

/** The upstreams that the API may use with permissions of AWS. Nothing is allowed by default. */
export interface UpstreamAccess {
  /**
   * Models of Bedrock that the API may invoke. An id (`openai.gpt-oss-120b-1:0`) allows that model in the region of the stack,
   * the id of an inference profile (`eu.anthropic.claude-sonnet-4-5-20250929-v1:0`, `global.…`) the profile, and its model
   * through it, in every region of the profile. An ARN allows exactly that.
   */
  readonly bedrockModels?: readonly string[]
  /** Allows inference on the default project of `bedrock-mantle` in the region of the stack. */
  readonly bedrockMantle?: boolean
  /** Secrets that upstreams may refer to by their ARN; the API may read these and no others. */
  readonly upstreamSecrets?: readonly (SecretRef | string)[]
}

/** Converse is not among them: the compatible routes of Bedrock need no other action. */
const INVOKE = ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream']

export const grantUpstreams = (holder: AccessHolder, access: UpstreamAccess): void => {
  for (const model of access.bedrockModels ?? []) grantModel(holder, model)
  if (access.bedrockMantle === true) {
    const project = Stack.of(holder).formatArn({
      service: 'bedrock-mantle',
      resource: 'project',
      resourceName: 'default',
    })
    holder.allow(['bedrock-mantle:CreateInference'], [project])
  }
  grantSecrets(holder, 'upstreamSecrets', access.upstreamSecrets)
}

/** The value of UPSTREAM_ALLOWED_SECRET_ARNS. Throws for secrets that hold zael's own tokens. */
export const allowedSecretArns = (
  { upstreamSecrets = [] }: UpstreamAccess,
  tokens: readonly SecretRef[],
): string => secretArnsOf('upstreamSecrets', upstreamSecrets, tokens).join(',')

const ARN = /^arn:aws[a-z-]*:bedrock:[a-z0-9-]*:(\d{12})?:[a-z-]+\/[\w.:-]{1,128}$/

const MODEL = /^[a-z0-9][\w.:-]{0,127}$/

/** Profiles are named after a geography: `us.`, `us-gov.`, `eu.`, `jp.`, `apac.`, `global.`. No provider has such a short name. */
const PROFILE = /^(?:[a-z]{2}(?:-[a-z]+)?|apac|global)\.(.+)$/

const grantModel = (holder: AccessHolder, model: string): void => {
  const isArn = ARN.test(model)
  if (!isArn && !MODEL.test(model)) {
    throw new Error(`bedrockModels must be ids or ARNs of models or inference profiles: ${model}`)
  }
  const inProfile = isArn ? undefined : PROFILE.exec(model)?.[1]
  if (inProfile === undefined) holder.allow(INVOKE, [isArn ? model : foundationModel(holder, model)])
  else grantProfile(holder, model, inProfile)
}

/**
 * A profile invokes its model in several regions, which AWS extends from time to time; for `global.` also in none that is
 * named. The condition allows the model only through this profile, so its region need not be stated.
 */
const grantProfile = (holder: AccessHolder, profile: string, model: string): void => {
  const profileArn = Stack.of(holder).formatArn({
    service: 'bedrock',
    resource: 'inference-profile',
    resourceName: profile,
  })
  holder.allow(INVOKE, [profileArn])
  holder.allow(INVOKE, [foundationModel(holder, model, '*')], {
    StringEquals: { 'bedrock:InferenceProfileArn': profileArn },
  })
  Validations.of(holder).acknowledge({
    id: `AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:bedrock:*::foundation-model/${model}]`,
    reason: 'A condition allows the model only through one inference profile, which determines its regions.',
  })
}

const foundationModel = (holder: AccessHolder, model: string, region?: string): string =>
  Stack.of(holder).formatArn({
    service: 'bedrock',
    account: '',
    resource: 'foundation-model',
    resourceName: model,
    ...(region !== undefined && { region }),
  })
