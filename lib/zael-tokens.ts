import { RemovalPolicy, SecretValue, Validations } from 'aws-cdk-lib'
import { Secret, type SecretProps } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'

export interface ZaelTokensProps {
  /** Prefix of the descriptions of the secrets, such as the name of the deployment. */
  readonly label: string
  /** Fixed tokens for an emulator. They stand in the template in plain text: never use them on AWS. Default: made by Secrets Manager. */
  readonly plainText?: { readonly admin: string; readonly viewer: string }
}

/** The tokens that open the admin routes, in Secrets Manager. */
export class ZaelTokens extends Construct {
  readonly admin: Secret
  readonly viewer: Secret

  constructor(scope: Construct, id: string, props: ZaelTokensProps) {
    super(scope, id)
    this.admin = this.token('Admin', `${props.label}: may do everything`, props.plainText?.admin)
    this.viewer = this.token('Viewer', `${props.label}: may read`, props.plainText?.viewer)
  }

  private token(id: string, description: string, plainText: string | undefined): Secret {
    const value: SecretProps =
      plainText === undefined
        ? { generateSecretString: { passwordLength: 48, excludePunctuation: true } }
        : { secretStringValue: SecretValue.unsafePlainText(plainText) }
    const secret = new Secret(this, id, { description, removalPolicy: RemovalPolicy.DESTROY, ...value })
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'People and scripts hold this token: a rotation nobody expects locks them out. Put a new value when you want; the API takes it within 5 minutes.',
    })
    return secret
  }
}
