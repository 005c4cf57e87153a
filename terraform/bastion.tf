# Optional. Session Manager opens a shell on it as well as on the task; SSH is for tools that know
# nothing else, from the ranges that are named.

locals {
  bastion_has_ssh = length(var.bastion_allowed_cidrs) > 0
}

data "aws_ssm_parameter" "bastion_image" {
  count = var.enable_bastion ? 1 : 0

  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}

data "aws_iam_policy_document" "bastion_trust" {
  count = var.enable_bastion ? 1 : 0

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "bastion" {
  count = var.enable_bastion ? 1 : 0

  name               = "${var.global_prefix}-bastion"
  description        = "The bastion: Session Manager, and looking at Kafka"
  assume_role_policy = data.aws_iam_policy_document.bastion_trust[0].json
}

resource "aws_iam_role_policy_attachment" "bastion_session_manager" {
  count = var.enable_bastion ? 1 : 0

  role       = aws_iam_role.bastion[0].name
  policy_arn = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_role_policy" "bastion_kafka" {
  count = var.enable_bastion ? 1 : 0

  name   = "look-at-kafka"
  role   = aws_iam_role.bastion[0].id
  policy = data.aws_iam_policy_document.bastion_kafka.json
}

resource "aws_iam_instance_profile" "bastion" {
  count = var.enable_bastion ? 1 : 0

  name = "${var.global_prefix}-bastion"
  role = aws_iam_role.bastion[0].name
}

resource "aws_key_pair" "bastion" {
  count = var.enable_bastion && var.bastion_public_key != null ? 1 : 0

  key_name   = "${var.global_prefix}-bastion"
  public_key = var.bastion_public_key
}

resource "aws_instance" "bastion" {
  count = var.enable_bastion ? 1 : 0

  ami                    = data.aws_ssm_parameter.bastion_image[0].value
  instance_type          = "t3.micro"
  subnet_id              = local.bastion_has_ssh ? aws_subnet.public.id : aws_subnet.private[0].id
  vpc_security_group_ids = [aws_security_group.this["bastion"].id]
  iam_instance_profile   = aws_iam_instance_profile.bastion[0].name
  key_name               = one(aws_key_pair.bastion[*].key_name)
  ebs_optimized          = true
  # Left open where there is no SSH: some emulators answer a false with a true.
  associate_public_ip_address = local.bastion_has_ssh ? true : null

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    volume_type = "gp3"
    volume_size = 10
    encrypted   = true
    kms_key_id  = aws_kms_key.this.arn
  }

  tags = { Name = "${var.global_prefix}-bastion" }

  lifecycle {
    # A newer image of the system must not rebuild the host by itself.
    ignore_changes = [ami]
  }
}
