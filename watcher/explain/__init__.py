"""Why an alert is what it is: what was decided and told, from the rows, and the same judged again."""
