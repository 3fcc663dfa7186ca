package scorecard

import "strings"

// aksLabel is on every node of an AKS cluster, with the name of its node resource group.
const aksLabel = "kubernetes.azure.com/cluster"

// AKS is whether a node is one of AKS. The provider's id alone is that of any machine on
// Azure, whose control plane may be anybody's.
func AKS(labels map[string]string, providerID string) bool {
	_, labelled := labels[aksLabel]
	return labelled && strings.HasPrefix(providerID, "azure://")
}
