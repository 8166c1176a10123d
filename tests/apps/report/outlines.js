// How many pixels of outlines are drawn, and the share of them near which the picture changes from bright to dark.
async () => {
  const pixels = async (image) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };
  const [below, above] = await Promise.all([...document.querySelectorAll("#image-1 img")].map(pixels));
  const width = below.width;
  const steps = [-4, 4, -4 * width, 4 * width];
  let drawn = 0;
  let edge = 0;
  for (let y = 4; y < below.height - 4; y++) {
    for (let x = 4; x < width - 4; x++) {
      const at = y * width + x;
      if (above.data[4 * at + 3] < 128) continue;
      drawn++;
      const near = steps.map((step) => below.data[4 * (at + step)]);
      edge += Math.max(...near) - Math.min(...near) > 30;
    }
  }
  return [drawn, edge / drawn];
}
