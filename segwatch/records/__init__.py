"""What passes between the rooms: columns of frames, segments, findings and intervals."""
