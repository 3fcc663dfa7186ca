// Package imagepolicy tests the gate as the backend of a real API server's plugin
// ImagePolicyWebhook. No webhook is registered: what is refused, the plugin refuses.
package imagepolicy
