package chart_test

// reasons are why each rule is there, whoever makes the certificate.
var reasons = map[string]string{
	// The webhook: what it judges by.
	"ClusterRole hardgate-webhook: get,list,watch core/namespaces,serviceaccounts":                   "policies select namespaces by labels, and accounts say whether a token is mounted; both for every request, so that they are watched",
	"ClusterRole hardgate-webhook: list,watch hardgate.dev/workloadpolicies,nodepolicies,exemptions": "what holds, and for whom",
	"ClusterRole hardgate-webhook: get,list,watch hardgate.dev/namespacereports":                     "how far rollouts have come; one is read to add up its tally",
	"ClusterRole hardgate-webhook: list core/pods,podtemplates,replicationcontrollers":               "a switch to Enforce by hand is answered with what runs and would be refused",
	"ClusterRole hardgate-webhook: list apps/deployments,replicasets,statefulsets,daemonsets":        "the same",
	"ClusterRole hardgate-webhook: list batch/jobs,cronjobs":                                         "the same",
	"ClusterRole hardgate-webhook: patch hardgate.dev/namespacereports/status":                       "the tally of what would have been refused, by which rollouts go on",

	// The agent: its own report and Lease. Admission policies hold it to its own name.
	"ClusterRole hardgate-nodecheck: get,create,patch hardgate.dev/nodereports":        "the report of its node, and by which rules to judge",
	"ClusterRole hardgate-nodecheck: patch hardgate.dev/nodereports/status":            "what it has found",
	"ClusterRole hardgate-nodecheck: get core/nodes/configz":                           "the configuration of its kubelet, asked of the kubelet",
	"Role hardgate-system/hardgate-nodecheck: create,patch coordination.k8s.io/leases": "that the report stands",

	// The controller: the fleet.
	"ClusterRole hardgate-controller: get,list,watch,patch core/nodes":                                    "the taints of nodes, one list that is patched whole",
	"ClusterRole hardgate-controller: patch core/nodes/status":                                            "the conditions HardeningCompliant and HardeningReportStale",
	"ClusterRole hardgate-controller: list,watch,patch hardgate.dev/nodereports":                          "the verdicts; the spec tells agents by which rules to judge",
	"ClusterRole hardgate-controller: list,watch hardgate.dev/nodepolicies,exemptions":                    "what is asked of nodes",
	"ClusterRole hardgate-controller: get,create hardgate.dev/clusterreports":                             "the summary, and on trial the self-test",
	"ClusterRole hardgate-controller: patch hardgate.dev/clusterreports/status cluster":                   "the summary of the cluster, and of no other name",
	"Role hardgate-system/hardgate-controller: list,watch coordination.k8s.io/leases":                     "which agents are alive",
	"Role hardgate-leader/hardgate-controller: create coordination.k8s.io/leases":                         "the first leader makes its Lease; a name does not restrict creation",
	"Role hardgate-leader/hardgate-controller: get,update coordination.k8s.io/leases hardgate-controller": "who leads",
	"Role hardgate-leader/hardgate-controller: create,patch core/events":                                  "who became the leader, told about its Lease",
	"Role default/hardgate-controller-events: create,patch core/events":                                   "Events about Nodes, the ClusterReport and the registration, which are stored in default",

	// The controller: the audit and the rollouts.
	"ClusterRole hardgate-controller: get,list,watch core/namespaces":                                                                                                  "policies select namespaces by labels; an annotation of its own pauses all",
	"ClusterRole hardgate-controller: list core/pods,podtemplates,replicationcontrollers,serviceaccounts":                                                              "what is judged",
	"ClusterRole hardgate-controller: list apps/deployments,replicasets,statefulsets,daemonsets":                                                                       "what is judged",
	"ClusterRole hardgate-controller: list batch/jobs,cronjobs":                                                                                                        "what is judged",
	"ClusterRole hardgate-controller: list rbac.authorization.k8s.io/roles,rolebindings,clusterroles,clusterrolebindings":                                              "what is judged",
	"ClusterRole hardgate-controller: list core/services,configmaps,persistentvolumeclaims,limitranges,resourcequotas":                                                 "what stands in the namespace default, by metadata alone",
	"ClusterRole hardgate-controller: list discovery.k8s.io/endpointslices":                                                                                            "the same",
	"ClusterRole hardgate-controller: list networking.k8s.io/ingresses":                                                                                                "the same",
	"ClusterRole hardgate-controller: list autoscaling/horizontalpodautoscalers":                                                                                       "the same",
	"ClusterRole hardgate-controller: list policy/poddisruptionbudgets":                                                                                                "the same",
	"ClusterRole hardgate-controller: list networking.k8s.io/networkpolicies":                                                                                          "whether a namespace is shielded",
	"ClusterRole hardgate-controller: list cilium.io/ciliumnetworkpolicies,ciliumclusterwidenetworkpolicies":                                                           "the same, where Cilium does it",
	"ClusterRole hardgate-controller: list projectcalico.org,crd.projectcalico.org/networkpolicies,globalnetworkpolicies":                                              "the same, where Calico does it",
	"ClusterRole hardgate-controller: list policy.networking.k8s.io/adminnetworkpolicies,baselineadminnetworkpolicies":                                                 "the same, for the whole cluster",
	"ClusterRole hardgate-controller: list storage.k8s.io/csidrivers":                                                                                                  "whether secrets come from an external store",
	"ClusterRole hardgate-controller: list secrets-store.csi.x-k8s.io/secretproviderclasses":                                                                           "the same, by metadata alone",
	"ClusterRole hardgate-controller: list external-secrets.io/externalsecrets":                                                                                        "the same, by metadata alone",
	"ClusterRole hardgate-controller: list admissionregistration.k8s.io/validatingwebhookconfigurations,validatingadmissionpolicies,validatingadmissionpolicybindings": "what else refuses pods, which the benchmark asks",
	"ClusterRole hardgate-controller: get,update admissionregistration.k8s.io/validatingwebhookconfigurations,mutatingwebhookconfigurations hardgate":                  "the registration follows what is enforced, and carries the authority where the controller makes it; these two only, and none is made or deleted",
	"ClusterRole hardgate-controller: list,create hardgate.dev/namespacereports":                                                                                       "what was found, one for each namespace",
	"ClusterRole hardgate-controller: patch hardgate.dev/namespacereports/status":                                                                                      "the same",
	"ClusterRole hardgate-controller: list hardgate.dev/workloadpolicies":                                                                                              "what is asked of workloads",
	"ClusterRole hardgate-controller: patch hardgate.dev/workloadpolicies/status":                                                                                      "how far the rollout of each has come",
}

// builtinReasons are those for a controller that makes the certificate.
var builtinReasons = map[string]string{
	"ClusterRole hardgate-controller-certificates: watch admissionregistration.k8s.io/validatingwebhookconfigurations,mutatingwebhookconfigurations hardgate": "an authority that is lost from the registration is brought back at once",
	"Role hardgate-system/hardgate-controller-certificates: create core/secrets":                                                                              "the authority and the certificate are made; a name does not restrict creation, and what others have made is not read",
	"Role hardgate-system/hardgate-controller-certificates: get,update,watch core/secrets hardgate-ca,hardgate-webhook-tls":                                   "they are renewed, and mended at once",
}

// certManagerReasons are those for one that watches how cert-manager does.
var certManagerReasons = map[string]string{
	"Role hardgate-system/hardgate-controller-certificates: get cert-manager.io/certificates hardgate-webhook": "whether the certificate is ready, and until when",
}
