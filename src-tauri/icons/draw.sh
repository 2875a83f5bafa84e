#!/usr/bin/env bash
# Draws the app's icon: the lines of a log, and the amber as-of cursor that stands in them.
# Needs ImageMagick. The PNGs are committed; run this only to change the drawing.
set -euo pipefail
cd "$(dirname "$0")"
ink='#1b1f27' paper='#f3efe4' dim='#7d8492' amber='#f0a326'
/usr/bin/convert -size 1024x1024 xc:none \
  -fill "$ink" -draw 'roundrectangle 32,32 991,991 208,208' \
  -fill "$paper" \
  -draw 'roundrectangle 184,256 560,328 36,36' \
  -draw 'roundrectangle 184,408 560,480 36,36' \
  -draw 'roundrectangle 184,560 560,632 36,36' \
  -draw 'roundrectangle 184,712 560,784 36,36' \
  -fill "$dim" \
  -draw 'roundrectangle 700,256 840,328 36,36' \
  -draw 'roundrectangle 700,408 796,480 36,36' \
  -draw 'roundrectangle 700,560 840,632 36,36' \
  -draw 'roundrectangle 700,712 752,784 36,36' \
  -fill "$amber" \
  -draw 'roundrectangle 606,168 654,856 24,24' \
  -draw 'circle 630,190 630,126' \
  -strip -define png:exclude-chunks=date,time PNG32:master.png
for size in 32 128 256 512; do
  /usr/bin/convert master.png -filter Lanczos -resize "${size}x${size}" -strip -define png:exclude-chunks=date,time "PNG32:${size}x${size}.png"
done
mv 512x512.png icon.png
rm master.png
