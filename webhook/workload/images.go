package workload

// Images is a Pod of which nothing is known but the images of its containers. Nor is it
// known in which list a container stands: its place is that in the list of images.
func Images(images []string) *Pod {
	p := &Pod{At: "spec", main: make([]Container, len(images))}
	for i, image := range images {
		p.main[i] = Container{List: "containers", Index: i, Image: image}
	}
	return p
}
