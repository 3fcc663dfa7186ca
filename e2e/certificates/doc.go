// Package certificates holds that a certificate or an authority is renewed under load
// without one request that is lost: by the built-in issuer, and by cert-manager's own
// controllers. The API server, the webhook and the controller are real; a kubelet's part,
// to bring a Secret into a pod some time later, is played by the test.
package certificates
