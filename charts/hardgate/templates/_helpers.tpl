{{/*
The namespaces hardgate-system and hardgate-leader are fixed: admission policies, the
command line and the audit know them by name.
*/}}

{{/* The labels by which pods are selected. They never change. */}}
{{- define "hardgate.selector" -}}
app.kubernetes.io/name: hardgate-{{ . }}
{{- end }}

{{/* The labels of a component's objects: list of it and the root. */}}
{{- define "hardgate.labels" -}}
{{- $component := index . 0 }}{{ $root := index . 1 -}}
app.kubernetes.io/name: hardgate-{{ $component }}
app.kubernetes.io/component: {{ $component }}
{{ include "hardgate.commonLabels" $root }}
{{- end }}

{{/*
What is installed, as a label may have it: the tag of the images, which is what runs, or the
chart's appVersion. A tag may be longer, and end in what ends no label.
*/}}
{{- define "hardgate.version" -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_." -}}
{{ $tag | default (.Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_.") }}
{{- end }}

{{/* The labels of all objects. */}}
{{- define "hardgate.commonLabels" -}}
app.kubernetes.io/part-of: hardgate
app.kubernetes.io/version: {{ include "hardgate.version" . | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The image of a component: list of its values and the root. */}}
{{- define "hardgate.image" -}}
{{- $image := (index . 0).image }}{{ $root := index . 1 -}}
{{- with $root.Values.image.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/*
Which issuer makes the certificate. Where none is chosen, the one that does stays: another
authority would be trusted before every replica had its certificate. The registration says
which one it is, though the authority is lost or was the other's before; where that is not
there, an authority that the controller has made.
*/}}
{{- define "hardgate.issuer" -}}
{{- $stored := dict }}{{ $ca := dict }}
{{- if eq .Values.certificates.issuer "auto" }}
{{- $stored = lookup "admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration" "" "hardgate" }}
{{- $ca = lookup "v1" "Secret" "hardgate-system" "hardgate-ca" }}
{{- end }}
{{- if ne .Values.certificates.issuer "auto" }}{{ .Values.certificates.issuer }}
{{- else if not (.Capabilities.APIVersions.Has "cert-manager.io/v1") }}builtin
{{- else if $stored }}{{ if dig "metadata" "annotations" "cert-manager.io/inject-ca-from" "" $stored }}cert-manager{{ else }}builtin{{ end }}
{{- else if and $ca (not (dig "metadata" "annotations" "cert-manager.io/certificate-name" "" $ca)) }}builtin
{{- else }}cert-manager{{ end }}
{{- end }}

{{/*
While the built-in issuer replaces its authority, pods serve by one that is not in tls.crt
any more. cert-manager knows that one alone: what pods serve would be refused until every
one of them had another certificate. So it would be where the authority is lost.
*/}}
{{- define "hardgate.noRotation" -}}
{{- $stored := lookup "admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration" "" "hardgate" }}
{{- if and $stored (not (dig "metadata" "annotations" "cert-manager.io/inject-ca-from" "" $stored)) }}
{{- $ca := lookup "v1" "Secret" "hardgate-system" "hardgate-ca" }}
{{- $trusted := "" }}
{{- range $stored.webhooks }}{{ $trusted = dig "clientConfig" "caBundle" $trusted . }}{{ end }}
{{- if and $trusted (not $ca) }}
{{- fail "certificates.issuer: the Secret hardgate-ca is lost, by whose authority pods serve: cert-manager would make another and cut admission short. Nothing is changed; hardgate-controller makes another, in steps, where it runs; try again after the Event AuthorityRetired about the ValidatingWebhookConfiguration hardgate, an hour or so after AuthorityMade" }}
{{- end }}
{{- if dig "data" "previous.crt" "" $ca }}
{{- fail "certificates.issuer: the authority is being replaced, which cert-manager would cut short, and admission with it. Nothing is changed; try again after the Event AuthorityRetired about the ValidatingWebhookConfiguration hardgate, an hour or so after AuthorityMade" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The controller's flags: those only that differ from what it does by itself. */}}
{{- define "hardgate.controllerArgs" -}}
- --certificates={{ include "hardgate.issuer" . }}
{{- with .Values.controller }}
{{- if ne .auditInterval "15m" }}
- --audit-interval={{ .auditInterval }}
{{- end }}
{{- if ne .provider "auto" }}
- --provider={{ .provider }}
{{- end }}
{{- with .poolLabels }}
- --pool-labels={{ join "," . }}
{{- end }}
{{- end }}
{{- if ne .Values.taints.driftedKey "hardgate.dev/drifted" }}
- --drifted-taint-key={{ .Values.taints.driftedKey }}
{{- end }}
{{- if ne .Values.taints.unverifiedKey "hardgate.dev/unverified" }}
- --unverified-taint-key={{ .Values.taints.unverifiedKey }}
{{- end }}
{{- end }}

{{/* Who may read metrics. */}}
{{- define "hardgate.metricsIngress" -}}
{{- with .Values.networkPolicies.metricsFrom -}}
- ports:
  - port: metrics
  from:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The way to the API server. On some clusters it has a name and not an address. */}}
{{- define "hardgate.apiServerEgress" -}}
- ports:
  {{- range .Values.networkPolicies.apiServerPorts }}
  - port: {{ . }}
  {{- end }}
  {{- with .Values.networkPolicies.apiServerCIDRs }}
  to:
  {{- range . }}
  - ipBlock: {cidr: {{ . | quote }}}
  {{- end }}
  {{- end }}
- ports:
  - {port: 53, protocol: UDP}
  - {port: 53, protocol: TCP}
{{- end }}

{{/*
The webhooks of the ValidatingWebhookConfiguration that is stored, or nothing where there
is none. On an upgrade they stay as they are: the controller has widened them since, keeps
them in step with its version, and server-side apply would refuse to change what is the
controller's. The authority is left to who made it.
*/}}
{{- define "hardgate.stored" -}}
{{- $stored := lookup "admissionregistration.k8s.io/v1" "ValidatingWebhookConfiguration" "" "hardgate" }}
{{- $ours := list }}{{ $complete := false }}
{{- range $stored.webhooks }}
{{- if hasSuffix ".hardgate.dev" .name }}
{{- if eq .name "policies.hardgate.dev" }}{{ $complete = true }}{{ end }}
{{- $ours = append $ours (set (omit . "clientConfig") "clientConfig" (omit .clientConfig "caBundle")) }}
{{- end }}
{{- end }}
{{- if $complete }}{{ toYaml $ours }}{{ end }}
{{- end }}

{{/*
Whether one of hardgate's own objects is to be made: list of its kind, its name and the
root. It is where it is missing. One that is there is left alone, as it is the cluster's,
and as a webhook that is down must not keep an upgrade from mending it.
*/}}
{{- define "hardgate.missing" -}}
{{- $kind := index . 0 }}{{ $name := index . 1 }}{{ $root := index . 2 -}}
{{- if $root.Values.policies.create }}
{{- if not ($root.Capabilities.APIVersions.Has (printf "hardgate.dev/v1alpha1/%s" $kind)) }}true
{{- else if not (lookup "hardgate.dev/v1alpha1" $kind "" $name) }}true
{{- end }}
{{- end }}
{{- end }}

{{/*
They go before everything else: after it the API server would ask a webhook about them that
is not there yet, and refuse them. Helm does not take hooks away with the release.
*/}}
{{- define "hardgate.once" }}
{{- if eq .Release.Service "Helm" }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
{{- end }}
{{- end }}
