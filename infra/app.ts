import { App } from 'aws-cdk-lib';
import featureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { ClientSecretStack } from './client-secret-stack.ts';
import { ConfigError, readConfig } from './config.ts';
import { functionCode } from './function-asset.ts';

try {
  const app = new App({ context: featureFlags });
  new ClientSecretStack(app, 'ClientSecretRotation', {
    config: readConfig(app.node.getAllContext()),
    code: functionCode(),
  });
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
