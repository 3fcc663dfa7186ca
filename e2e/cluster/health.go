package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// healthy returns a question to a program's health endpoint. Its certificate is
// checked: a stranger on the same port is not taken for the program.
func (c *Cluster) healthy(purpose, path string) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url(purpose)+path, nil)
		if err != nil {
			return err
		}
		if purpose == apiServerPort {
			req.Header.Set("Authorization", "Bearer "+c.creds.tokens[admin])
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s answers %s: %s", purpose, resp.Status, strings.TrimSpace(string(body)))
		}
		return nil
	}
}
