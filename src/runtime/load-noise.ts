/** Whether a line is one of those that TensorFlow prints as it loads and that no setting of its own keeps quiet. */
export const isLoadNoise = (line: string): boolean =>
  /^WARNING: All log messages before absl::InitializeLog\(\) is called are written to STDERR/.test(line) ||
  /^I\d{4} \d\d:.*\] (oneDNN custom operations are on|This TensorFlow binary is optimized)/.test(line);
