import { Token } from 'aws-cdk-lib'
import {
  BasePathMapping,
  DomainName,
  EndpointType,
  type IDomainName,
  type RestApi,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigateway'
import { CfnApiMapping } from 'aws-cdk-lib/aws-apigatewayv2'
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager'
import type { Construct } from 'constructs'

/** A custom domain of API Gateway, or a base path of one, at which the API is reached. */
export interface ApiDomain {
  /** The name of a new custom domain (`limits.example.com`), or a regional one that you have. */
  readonly domainName: string | IDomainName
  /** The certificate of a new custom domain, from the region of the stack. */
  readonly certificate?: ICertificate
  /** The path below which the API is reached: `limits`, or `platform/limits`. Default: the root of the domain. */
  readonly basePath?: string
  /** Disables the URL that AWS gives to the API, so that the domain is the only way to it. Default false. */
  readonly disableExecuteApiEndpoint?: boolean
}

/** Throws an error that names the property and what is allowed. */
export const checkDomain = ({ domainName, certificate, basePath }: ApiDomain): void => {
  if (typeof domainName === 'string' && certificate === undefined) {
    throw new Error(
      'domain.certificate is required for a new domain; pass an IDomainName for one that exists',
    )
  }
  if (typeof domainName !== 'string' && certificate !== undefined) {
    throw new Error('domain.certificate must not be set for a domain that exists')
  }
  if (typeof domainName === 'string' && !Token.isUnresolved(domainName) && !HOST_NAME.test(domainName)) {
    throw new Error(`domain.domainName must be a host name, such as limits.example.com: ${domainName}`)
  }
  if (basePath !== undefined && !Token.isUnresolved(basePath) && !BASE_PATH.test(basePath)) {
    throw new Error(
      `domain.basePath must be segments of letters, digits, ".", "_" and "-", without a slash at either end: ${basePath}`,
    )
  }
}

const HOST_NAME = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/

/** API Gateway allows more characters, which clients encode in different ways. */
const BASE_PATH = /^[\w.-]+(\/[\w.-]+)*$/

/** Makes the API respond at the domain. Returns the domain, for a record in DNS. */
export const mapDomain = (scope: Construct, domain: ApiDomain, api: RestApi): IDomainName => {
  const domainName = domainOf(scope, domain)
  const { basePath } = domain
  if (basePath?.includes('/')) {
    // Only the second API of API Gateway maps base paths of several segments, also to REST APIs.
    new CfnApiMapping(scope, 'DomainMapping', {
      apiId: api.restApiId,
      stage: api.deploymentStage.stageName,
      domainName: domainName.domainName,
      apiMappingKey: basePath,
    })
  } else {
    new BasePathMapping(scope, 'DomainMapping', {
      domainName,
      restApi: api,
      ...(basePath !== undefined && { basePath }),
    })
  }
  return domainName
}

const domainOf = (scope: Construct, { domainName, certificate }: ApiDomain): IDomainName => {
  if (typeof domainName !== 'string') return domainName
  if (certificate === undefined) throw new Error('domain.certificate is required for a new domain')
  return new DomainName(scope, 'Domain', {
    domainName,
    certificate,
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
  })
}

/** The URL of the API at its domain, which ends in a slash. */
export const domainUrl = ({ basePath }: ApiDomain, { domainName }: IDomainName): string =>
  `https://${domainName}/${basePath === undefined ? '' : `${basePath}/`}`
