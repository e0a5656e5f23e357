// SPDX-License-Identifier: Apache-2.0
// The part of custom resources that the manifests use, in the words of their definitions: what is not here is unknown. Types are
// those of @kubernetes/client-node; "!" marks what must be there, a|b an enumeration.
//   JobSet                  kubernetes-sigs/jobset, api/jobset/v1alpha2, v0.12
//   TrainJob and runtimes   kubeflow/trainer, pkg/apis/trainer/v1alpha1, v2.2 and v2.3
//   PodMonitor              prometheus-operator, pkg/apis/monitoring/v1, v0.91
//   Certificate, Issuer     cert-manager, pkg/apis/certmanager/v1
const object = (spec) => ({ apiVersion: 'string!', kind: 'string!', metadata: 'V1ObjectMeta!', spec: `${spec}!` });

export const kinds = {
  'jobset.x-k8s.io/v1alpha2 JobSet': 'JobSet',
  'trainer.kubeflow.org/v1alpha1 ClusterTrainingRuntime': 'ClusterTrainingRuntime',
  'trainer.kubeflow.org/v1alpha1 TrainJob': 'TrainJob',
  'monitoring.coreos.com/v1 PodMonitor': 'PodMonitor',
  'cert-manager.io/v1 Issuer': 'Issuer',
  'cert-manager.io/v1 Certificate': 'Certificate',
};

export const types = {
  JobSet: object('JobSetSpec'),
  JobSetSpec: {
    network: 'JobSetNetwork',
    successPolicy: 'JobSetSuccessPolicy',
    failurePolicy: 'JobSetFailurePolicy',
    suspend: 'boolean',
    ttlSecondsAfterFinished: 'number',
    volumeClaimPolicies: 'Array<JobSetVolumeClaimPolicy>',
    replicatedJobs: 'Array<ReplicatedJob>',
  },
  JobSetNetwork: { enableDNSHostnames: 'boolean', subdomain: 'string', publishNotReadyAddresses: 'boolean' },
  JobSetSuccessPolicy: { operator: 'All|Any!', targetReplicatedJobs: 'Array<string>' },
  JobSetFailurePolicy: {
    maxRestarts: 'number',
    restartStrategy: 'Recreate|BlockingRecreate|InPlaceRestart',
    rules: 'Array<JobSetFailurePolicyRule>',
  },
  JobSetFailurePolicyRule: {
    name: 'string!',
    action: 'FailJobSet|RestartJobSet|RestartJobSetAndIgnoreMaxRestarts|RestartJob|RestartJobAndIgnoreMaxRestarts!',
    onJobFailureReasons: 'Array<BackoffLimitExceeded|DeadlineExceeded|FailedIndexes|MaxFailedIndexesExceeded|PodFailurePolicy>',
    onJobFailureMessagePatterns: 'Array<string>',
    targetReplicatedJobs: 'Array<string>',
  },
  JobSetVolumeClaimPolicy: { templates: 'Array<V1PersistentVolumeClaim>', retentionPolicy: 'JobSetVolumeRetention' },
  JobSetVolumeRetention: { whenDeleted: 'Retain|Delete' },
  ReplicatedJob: {
    name: 'string!',
    groupName: 'string',
    replicas: 'number',
    dependsOn: 'Array<JobSetDependsOn>',
    template: 'V1JobTemplateSpec!',
  },
  JobSetDependsOn: { name: 'string!', status: 'Ready|Complete!' },

  ClusterTrainingRuntime: object('TrainingRuntimeSpec'),
  TrainingRuntimeSpec: { mlPolicy: 'MlPolicy', template: 'JobSetTemplate' },
  MlPolicy: { numNodes: 'number' },
  JobSetTemplate: { metadata: 'V1ObjectMeta', spec: 'JobSetSpec' },
  TrainJob: object('TrainJobSpec'),
  TrainJobSpec: { runtimeRef: 'RuntimeRef!', trainer: 'TrainJobTrainer', suspend: 'boolean' },
  RuntimeRef: { name: 'string!', apiGroup: 'string', kind: 'ClusterTrainingRuntime|TrainingRuntime' },
  TrainJobTrainer: {
    image: 'string',
    command: 'Array<string>',
    args: 'Array<string>',
    env: 'Array<V1EnvVar>',
    numNodes: 'number',
    resourcesPerNode: 'V1ResourceRequirements',
  },

  PodMonitor: object('PodMonitorSpec'),
  PodMonitorSpec: { selector: 'V1LabelSelector!', podMetricsEndpoints: 'Array<PodMetricsEndpoint>!' },
  PodMetricsEndpoint: {
    port: 'string',
    path: 'string',
    scheme: 'http|https',
    interval: 'string',
    tlsConfig: 'PodMonitorTls',
    authorization: 'PodMonitorAuthorization',
  },
  PodMonitorTls: { ca: 'PodMonitorSecret', serverName: 'string' },
  PodMonitorSecret: { secret: 'V1SecretKeySelector' },
  PodMonitorAuthorization: { type: 'string', credentials: 'V1SecretKeySelector' },

  Issuer: object('IssuerSpec'),
  IssuerSpec: { selfSigned: 'object', ca: 'IssuerCa' },
  IssuerCa: { secretName: 'string!' },
  Certificate: object('CertificateSpec'),
  CertificateSpec: {
    secretName: 'string!',
    issuerRef: 'CertificateIssuerRef!',
    isCA: 'boolean',
    commonName: 'string',
    dnsNames: 'Array<string>',
    duration: 'string',
    renewBefore: 'string',
    subject: 'CertificateSubject',
    usages: 'Array<signing|digital signature|key encipherment|cert sign|server auth|client auth>',
    privateKey: 'CertificateKey',
  },
  CertificateIssuerRef: { name: 'string!', kind: 'string', group: 'string' },
  CertificateSubject: { organizations: 'Array<string>', organizationalUnits: 'Array<string>' },
  CertificateKey: { algorithm: 'RSA|ECDSA|Ed25519', size: 'number', rotationPolicy: 'Never|Always' },
};
